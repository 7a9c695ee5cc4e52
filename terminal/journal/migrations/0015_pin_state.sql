-- Whose choice a PIN is. Who was hired before this stood here is not asked to change it.
ALTER TABLE staff ADD COLUMN pin TEXT NOT NULL DEFAULT 'own';
